import "@preact/signals";
import { render } from "preact";
import { freeDrawnTrees } from "../components/drawn_trees.ts";
import { Asker } from "./api/ask.ts";
import { LoginSession } from "./api/login.ts";
import { ConsoleServer } from "./api/server.ts";
import { Console, type WelcomeMemory } from "./session/console.ts";
import { Router } from "./session/router.ts";
import "./styles/index.css";
import { App } from "./views/App.tsx";

const WELCOMED = "tertulia.console.welcomed";

/** The console's only composition root: everything from the browser enters here. */
function main(root: HTMLElement): void {
  freeDrawnTrees();
  // locks are absent on a page that is not secure, whatever the types say
  const locks = navigator.locks as LockManager | undefined;
  const session = new LoginSession(location.origin, fetch.bind(globalThis), locks);
  const server = new ConsoleServer(new Asker(location.origin, session));
  const console = new Console(session, server, new Router(location, globalThis), welcomeMemory());
  addEventListener("online", () => console.events.retry());
  render(<App console={console} />, root);
  void console.open();
}

/** A browser that keeps nothing is welcomed until there is a room. */
function welcomeMemory(): WelcomeMemory {
  return {
    isDone() {
      try {
        return localStorage.getItem(WELCOMED) !== null;
      } catch {
        return false;
      }
    },
    markDone() {
      try {
        localStorage.setItem(WELCOMED, "yes");
      } catch {
        // as above
      }
    },
  };
}

const root = document.getElementById("app");
if (root) main(root);
