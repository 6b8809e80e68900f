/**
 * What is wrong with an envelope, and what to do, by the reason it is dropped for: the end of a
 * sentence such as "Cannot publish the envelope as …". Every way in says the same.
 */
export const MALFORMED = {
  too_large: "it is larger than MAX_MESSAGE_BYTES: send less, or a reference to it",
  not_utf8: "its bytes are not UTF-8: encode the text as UTF-8",
  no_message_field: "the entry has no field message: XADD my_stream '*' message <envelope>",
  not_json: "it is not JSON: mind typographic quotes and trailing commas",
  not_object: "it must be a JSON object with the member recipients",
  no_recipients: 'it has no member recipients: add an array of strings, or "*"',
  repeated_recipients: "it has two members recipients: keep one",
  numeric_recipients: "its recipients must be strings: write numbers in quotes",
  wrong_recipients:
    'its recipients must be an array of strings, none empty or of malformed Unicode, or "*"',
} as const;

/** Why an envelope was dropped; these are the values of the metric's `reason` label. */
export type Malformed = keyof typeof MALFORMED;
