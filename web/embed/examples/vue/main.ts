import { createApp } from "vue";
import App from "./App.vue";

createApp(App, { roomUrl: new URLSearchParams(location.search).get("room") ?? "", name: "Ana" }).mount("#app");
