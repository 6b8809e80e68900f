import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { PresenceNames } from "../../src/presence/presence_names.ts";
import { readSlots, slotOfKey, SLOTS, tagOfSlot } from "../../src/presence/slot_table.ts";

Deno.test("tagOfSlot: a key with the tag is in the slot", () => {
  const names = new PresenceNames("keywire");
  fc.assert(fc.property(fc.nat({ max: SLOTS - 1 }), (slot) => {
    assertEquals(slotOfKey(names.mark(tagOfSlot(slot))), slot);
  }));
});

Deno.test("PresenceNames: whatever a recipient is called, its own name decides the slot", () => {
  const names = new PresenceNames("keywire");
  fc.assert(fc.property(fc.string({ unit: "grapheme", minLength: 1 }), (recipient) => {
    fc.pre(recipient.isWellFormed());
    const key = names.at(recipient);
    assertEquals(slotOfKey(key), slotOfKey(encodeURIComponent(recipient)));
    assertEquals(decodeURIComponent(key.slice("keywire:{".length, -"}:at".length)), recipient);
  }));
});

Deno.test("readSlots: a master with several ranges is one, and one without a name is who answered", () => {
  const reply = [
    [0, 100, ["10.0.0.1", 7000, "id", []], ["10.0.0.9", 7009, "replica", []]],
    [101, 200, ["", 7001, "id", []]],
    [201, 300, ["10.0.0.1", 7000, "id", []]],
  ];
  assertEquals([...readSlots(reply, "asked")], [
    ["10.0.0.1:7000", { host: "10.0.0.1", port: 7000, ranges: [[0, 100], [201, 300]] }],
    ["asked:7001", { host: "asked", port: 7001, ranges: [[101, 200]] }],
  ]);
  assertEquals(readSlots(undefined, "asked").size, 0);
});
