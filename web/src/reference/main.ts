import SwaggerUI from "swagger-ui-dist/swagger-ui-es-bundle.js";
import "swagger-ui-dist/swagger-ui.css";
import { referencePlugin } from "./plugin.ts";
import "./reference.css";

const dark = matchMedia("(prefers-color-scheme: dark)");

/** Shows the document that stands beside this page, whichever base path it is served at. */
async function main(domNode: HTMLElement): Promise<void> {
  followColourScheme();
  dark.addEventListener("change", followColourScheme);
  const response = await fetch("openapi.json");
  if (!response.ok) throw new Error(`openapi.json: ${response.status}`);
  const document = await response.json();
  // the document names the server's public address; the page may have been opened by another one
  const server = new URL(".", location.href).href.replace(/\/$/, "");
  globalThis.document.title = `${document.info.title} · Tertulia`;
  SwaggerUI({
    domNode,
    spec: { ...document, servers: [{ url: server }] },
    layout: "ReferenceLayout",
    plugins: [referencePlugin(server)],
    validatorUrl: null,
    deepLinking: true,
    tryItOutEnabled: true,
    defaultModelsExpandDepth: 0,
    onComplete: () => domNode.setAttribute("data-ready", ""),
  });
}

function followColourScheme(): void {
  document.documentElement.classList.toggle("dark-mode", dark.matches);
}

const root = document.getElementById("reference");
if (root)
  main(root).catch((error: unknown) => {
    root.textContent = `The API's document cannot be loaded. ${error instanceof Error ? error.message : ""}`;
  });
