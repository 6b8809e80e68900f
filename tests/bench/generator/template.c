/* Templates: fixed widths let one copy and three small writes make a request. */
#include "generator.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char KEY[] = "@KKKK@", NUMBER[] = "@NNNNNNNN@", TIME[] = "@TTTTTTTTTTTTTTTTT@";

static size_t find(const struct template *t, const char *mark) {
  char *at = memmem(t->bytes, t->size, mark, strlen(mark));
  return at ? (size_t)(at - t->bytes) : 0;
}

void load_template(struct template *t, const char *path) {
  FILE *file = fopen(path, "rb");
  if (!file) die("cannot read %s", path);
  fseek(file, 0, SEEK_END);
  t->size = (size_t)ftell(file);
  rewind(file);
  t->bytes = malloc(t->size + 1);
  if (fread(t->bytes, 1, t->size, file) != t->size) die("cannot read %s", path);
  fclose(file);
  t->key = find(t, KEY);
  t->number = find(t, NUMBER);
  t->time = find(t, TIME);
}

static void digits(char *out, int width, uint64_t value) {
  while (width-- > 0) {
    out[width] = (char)('0' + value % 10);
    value /= 10;
  }
}

size_t render(const struct template *t, char *out, int key, uint64_t number) {
  memcpy(out, t->bytes, t->size);
  if (t->key) {
    out[t->key] = 'k';
    digits(out + t->key + 1, sizeof KEY - 2, (uint64_t)key);
  }
  if (t->number) digits(out + t->number, sizeof NUMBER - 1, number);
  if (t->time) digits(out + t->time, sizeof TIME - 1, now_ns());
  return t->size;
}
