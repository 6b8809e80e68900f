import java.util.concurrent.ThreadLocalRandom;

/** What the driver tells each program, and how a program tells the driver what its client met. */
final class Told {
  static final String URL = System.getenv("KEYWIRE_URL");
  static final String KEY = System.getenv("KEYWIRE_KEY");
  /** The cursor to begin at, empty where there is none. */
  static final String AFTER = System.getenv().getOrDefault("KEYWIRE_AFTER", "");

  private Told() {}

  /** Tells the driver one thing, in a line of JSON: names and values in turn. */
  static synchronized void say(Object... members) {
    StringBuilder line = new StringBuilder("{");
    for (int at = 0; at < members.length; at += 2) {
      line.append(at == 0 ? "" : ",").append(quote(members[at])).append(":");
      Object value = members[at + 1];
      line.append(value instanceof Integer ? value.toString() : quote(value));
    }
    byte[] bytes = line.append("}\n").toString().getBytes(java.nio.charset.StandardCharsets.UTF_8);
    System.out.write(bytes, 0, bytes.length);
    System.out.flush();
  }

  /** The newest cursor of a frame of keywire.v1: that of its last line. */
  static String cursorOf(String frame) {
    String name = "\"cursor\":\"";
    int start = frame.indexOf(name, frame.lastIndexOf('\n') + 1) + name.length();
    return frame.substring(start, frame.indexOf('"', start));
  }

  /** How long to wait after so many failures in a row, in milliseconds (docs/protocol.md). */
  static long backoff(int failures) {
    return ThreadLocalRandom.current().nextLong(Math.min(20_000, 500L << Math.min(failures, 6)));
  }

  private static String quote(Object value) {
    StringBuilder text = new StringBuilder("\"");
    for (char each : String.valueOf(value).toCharArray()) {
      if (each == '"' || each == '\\') text.append('\\').append(each);
      else if (each < ' ') text.append(String.format("\\u%04x", (int) each));
      else text.append(each);
    }
    return text.append('"').toString();
  }
}
