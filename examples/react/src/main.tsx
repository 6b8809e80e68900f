import { type FormEvent, StrictMode, useEffect, useState } from "react";
import { createRoot } from "react-dom/client";
import { useKeywire } from "keywire/react";

type Comment = { id: number; text: string };
type State = { comments: Comment[]; cursor: string; key: string };
type Message = { type: "comment"; comment: Comment };

/** A comment that came between the cursor and the state is in both. */
function withComment(state: State, comment: Comment): State {
  const others = state.comments.filter(({ id }) => id !== comment.id);
  return { ...state, comments: [...others, comment] };
}

function Comments({ loaded, reload }: { loaded: State; reload: () => void }) {
  const [{ comments, cursor, key }, setState] = useState(loaded);
  const { state } = useKeywire<Message>("/", { key, cursor }, {
    comment: ({ data }) => setState((before) => withComment(before, data.comment)),
    gap: reload,
  });

  async function send(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = event.currentTarget;
    const body = JSON.stringify({ text: new FormData(form).get("text") });
    const headers = { "Content-Type": "application/json" };
    const { ok } = await fetch("/comments", { method: "POST", headers, body });
    if (ok) form.reset();
  }

  return (
    <>
      <h1>Comments ({state})</h1>
      <ol>{comments.map(({ id, text }) => <li key={id}>{text}</li>)}</ol>
      <form onSubmit={send}>
        <input name="text" aria-label="Your comment" required /> <button type="submit">Send</button>
      </form>
    </>
  );
}

/** Loads the state, then listens from its cursor; after a gap it begins anew. */
function App() {
  const [loaded, setLoaded] = useState<State>();
  const [round, setRound] = useState(0);
  useEffect(() => {
    let isCurrent = true; // StrictMode runs it twice
    async function load() {
      const state = await fetch("/comments").then((response) => response.json()).catch(() => null);
      if (isCurrent && state) setLoaded(state);
      else if (isCurrent) setTimeout(load, 1_000);
    }
    load();
    return () => void (isCurrent = false);
  }, [round]);
  if (!loaded) return <p>Loading…</p>;
  return <Comments key={loaded.cursor} loaded={loaded} reload={() => setRound(round + 1)} />;
}

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
