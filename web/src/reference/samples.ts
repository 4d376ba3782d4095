import { jsFetch } from "@scalar/snippetz/plugins/js/fetch";
import { pythonRequests } from "@scalar/snippetz/plugins/python/requests";
import { shellCurl } from "@scalar/snippetz/plugins/shell/curl";

/** A request as Swagger UI sends it, or as the document describes it. */
export interface SampleRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
}

/** The part of an OpenAPI operation that a request is made of. */
export interface Operation {
  readonly parameters?: readonly Parameter[];
  readonly security?: readonly Readonly<Record<string, unknown>>[];
}

const GENERATORS = { curl: shellCurl, JavaScript: jsFetch, Python: pythonRequests };

export type Language = keyof typeof GENERATORS;
export const LANGUAGES = Object.keys(GENERATORS) as Language[];

/** How a credential is sent, by the name of its scheme, the preferred one first; cookies are left to browsers. */
const CREDENTIALS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  apiKeyInHeader: { "X-API-KEY": "YOUR_API_KEY" },
  bearer: { Authorization: "Bearer YOUR_TOKEN" },
};

export function codeOf(language: Language, { method, url, headers, body }: SampleRequest): string {
  return GENERATORS[language].generate({
    method: method.toUpperCase(),
    url,
    headers: Object.entries(headers).map(([name, value]) => ({ name, value })),
    ...(body && { postData: { mimeType: "application/json", text: body } }),
  });
}

/** The request that the document describes, with what is required in it and names where values belong. */
export function documentedRequest(
  server: string,
  path: string,
  method: string,
  { parameters = [], security = [] }: Operation,
  body?: string,
): SampleRequest {
  const query = parameters.filter((one) => one.in === "query" && one.required).map(({ name }) => `${name}={${name}}`);
  const accepted = security.flatMap(Object.keys);
  const scheme = Object.keys(CREDENTIALS).find((name) => accepted.includes(name));
  return {
    method,
    url: [server + path, query.join("&")].filter(Boolean).join("?"),
    headers: { ...(scheme && CREDENTIALS[scheme]), ...(body && { "Content-Type": "application/json" }) },
    ...(body && { body }),
  };
}
