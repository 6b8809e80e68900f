import { useKeywire } from "keywire/vue";
import { createApp, defineComponent, h, ref } from "vue";
import { gateway, type Message } from "./message.tsx";

const Comments = defineComponent(() => {
  const comments = ref<string[]>([]);
  const { state } = useKeywire<Message>(gateway, { key: "demo" }, {
    comment: ({ data }) => comments.value.push(data.text),
  });
  return () => h("p", `${state.value} ${comments.value.join(" ")}`);
});

const App = defineComponent(() => {
  const shown = ref(true);
  const toggle = () => shown.value = !shown.value;
  return () => [h("button", { onClick: toggle }, "Toggle"), shown.value ? h(Comments) : null];
});

createApp(App).mount("#root");
