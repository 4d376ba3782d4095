import type { Component, Immutable, Plugin, ReactNode, System } from "swagger-ui-dist/swagger-ui-es-bundle.js";
import { codeOf, documentedRequest, LANGUAGES, type Operation, type SampleRequest } from "./samples.ts";

interface SpecSelectors {
  requestFor(path: string, method: string): Immutable | undefined;
  specResolvedSubtree(path: readonly string[]): (Immutable & { getIn(path: readonly string[]): unknown }) | undefined;
}

interface ResponsesProps {
  readonly path: string;
  readonly method: string;
  readonly specSelectors: SpecSelectors;
}

interface LayoutProps {
  getComponent(name: string, container?: boolean): Component;
}

const JSON_TYPE = "application/json";

/**
 * What we change in Swagger UI: code samples in several languages, also before a request is sent; landmarks and
 * headings that a screen reader can follow; and no choice of servers, since the page calls the server it comes from.
 */
export function referencePlugin(server: string): (system: System) => Plugin {
  return (system) => {
    const samples = codeSamples(system);
    const h = system.React.createElement;
    return {
      components: { ReferenceLayout: layout(system), curl: () => null },
      wrapComponents: {
        // a link inside a button cannot be reached by keyboard; opening an operation changes the address as well
        DeepLink:
          () =>
          ({ text }) =>
            h("span", null, text),
        TextArea: (original) => (props) => h(original, { "aria-label": "Request body", ...props }),
        CloseIcon: (original) => () => h("span", null, h(original), h("span", { className: "heard-only" }, "Close")),
        // what a button is called is what stands on it
        Button: (original) => (props) => h(original, { ...props, "aria-label": undefined }),
        responses: (original) => (props: ResponsesProps) =>
          h("div", null, h(samples, { request: requestOf(system, server, props) }), h(original, props)),
      },
    };
  };
}

function layout({ React: { createElement: h } }: System): Component {
  return ({ getComponent }: LayoutProps) => {
    const part = (name: string): ReactNode => h(getComponent(name, true));
    return h(
      "div",
      { className: "swagger-ui" },
      part("SvgAssets"),
      h(
        "header",
        { className: "reference-head wrapper" },
        part("InfoContainer"),
        h("p", null, h("a", { href: "openapi.json" }, "openapi.json")),
      ),
      h(
        "main",
        { className: "wrapper" },
        part("errors"),
        h("h2", { className: "heard-only" }, "Operations"),
        part("AuthorizeBtnContainer"),
        part("operations"),
        part("Models"),
      ),
    );
  };
}

function codeSamples({ React: { createElement: h, useState } }: System): Component {
  return ({ request }: { readonly request: SampleRequest | null }) => {
    const [chosen, choose] = useState(LANGUAGES[0] ?? "curl");
    if (!request) return null;
    const languages = LANGUAGES.map((language) =>
      h(
        "button",
        { key: language, type: "button", "aria-pressed": language === chosen, onClick: () => choose(language) },
        language,
      ),
    );
    return h(
      "section",
      { className: "code-samples" },
      h("div", { className: "opblock-section-header" }, h("h4", null, "Code sample"), ...languages),
      h("pre", { tabIndex: 0 }, h("code", null, codeOf(chosen, request))),
    );
  };
}

/** The request that was sent last, or the one that the document describes. */
function requestOf(
  system: System,
  server: string,
  { path, method, specSelectors }: ResponsesProps,
): SampleRequest | null {
  const sent = specSelectors.requestFor(path, method);
  if (sent) return sentRequest(sent);
  const operation = specSelectors.specResolvedSubtree(["paths", path, method]);
  if (!operation) return null;
  const schema = operation.getIn(["requestBody", "content", JSON_TYPE, "schema"]);
  const body = schema ? system.fn.getSampleSchema(schema, JSON_TYPE, { includeWriteOnly: true }) : undefined;
  return documentedRequest(server, path, method, operation.toJS() as Operation, body);
}

function sentRequest(request: Immutable): SampleRequest {
  const { method, url, headers, body } = request.toJS() as SampleRequest;
  return { method, url, headers, ...(typeof body === "string" && { body }) };
}
