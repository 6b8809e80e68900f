import type {
  Keywire,
  KeywireEventName,
  KeywireEventOf,
  KeywireOptions,
  KeywireState,
} from "./keywire.js";

/** Listeners by the name of their event: the client's own, or that of a message's type. */
export type KeywireListeners<Message = Record<string, unknown>, Member extends string = "type"> = {
  readonly [Name in KeywireEventName<Message, Member>]?: (
    event: KeywireEventOf<Message, Member, Name>,
  ) => void;
};

/** A connection as a component sees it. */
export interface KeywireConnection<Message, Member extends string = "type"> {
  /** Undefined until the component is mounted, and where it asks for no connection. */
  readonly client: Keywire<Message, Member> | undefined;
  readonly state: KeywireState;
}

/**
 * Connects while the component is mounted. Components which name the same URL and the same options,
 * functions aside, share a connection; StrictMode and hot reload open no second one. Listeners may be
 * new functions at each render: the latest ones are called.
 *
 * @param url without one (`null`), nothing connects: before a login, say
 */
export function useKeywire<Message = Record<string, unknown>, Member extends string = "type">(
  url: string | URL | null | undefined,
  options: KeywireOptions,
  listeners?: KeywireListeners<Message, Member>,
): KeywireConnection<Message, Member>;
