import { useKeywire } from "keywire/react";
import { StrictMode } from "react";
import { useState } from "react";
import { createRoot } from "react-dom/client";
import { Title } from "./title.tsx";
import { gateway, type Message } from "./message.tsx";

function Comments() {
  const [comments, setComments] = useState<string[]>([]);
  const { state } = useKeywire<Message>(gateway, { key: () => "demo" }, {
    comment: ({ data }) => setComments((all) => [...all, data.text]),
  });
  return <p>{state} {comments.join(" ")}</p>;
}

function Likes() {
  const [likes, setLikes] = useState(0);
  useKeywire<Message>(gateway, { key: () => "demo" }, {
    like: ({ data }) => setLikes(likes + data.count),
  });
  return <p>{likes} likes</p>;
}

function App() {
  const [shown, setShown] = useState(true);
  return (
    <>
      <Title />
      <button type="button" onClick={() => setShown(!shown)}>Toggle</button>
      {shown && <Comments />}
      {shown && <Likes />}
    </>
  );
}

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
