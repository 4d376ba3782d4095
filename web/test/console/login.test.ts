import { expect, test } from "vitest";
import { Asker } from "../../src/console/api/ask.ts";
import { LoginSession } from "../../src/console/api/login.ts";

const ORIGIN = "https://meet.example";

/** A server whose access tokens run out when the test says so. */
class FakeServer {
  readonly asked: string[] = [];
  living = "t1";
  refresh: Response | (() => Response | Promise<Response>) = () => this.#tokens();
  away = false;

  readonly fetch = async (request: Request): Promise<Response> => {
    const path = new URL(request.url).pathname.split("/v1")[1] ?? "";
    const bearer = request.headers.get("authorization")?.split(" ")[1] ?? "";
    this.asked.push(`${request.method} ${path} ${bearer}`.trim());
    if (this.away) throw new TypeError("fetch failed");
    if (path === "/auth/refresh") return typeof this.refresh === "function" ? this.refresh() : this.refresh;
    if (path === "/auth/login") return this.#tokens();
    if (bearer !== this.living) return Response.json({ code: "unauthenticated", message: "no" }, { status: 401 });
    return Response.json({ body: await request.text() });
  };

  #tokens(): Response {
    return Response.json({ accessToken: this.living });
  }
}

function loggedOut() {
  const server = new FakeServer();
  const session = new LoginSession(ORIGIN, server.fetch, undefined);
  return { server, session, asker: new Asker(ORIGIN, session) };
}

test("a login is taken up by the cookie, and its token is sent as bearer", async () => {
  const { server, session, asker } = loggedOut();
  await session.resume();
  expect(session.loggedIn.value).toBe(true);
  await asker.ask("GET", "/rooms");
  expect(server.asked).toEqual(["POST /auth/refresh", "GET /rooms t1"]);
});

test("without a login there is none, and without a server that is told", async () => {
  const { server, session } = loggedOut();
  server.refresh = Response.json({}, { status: 401 });
  await session.resume();
  expect(session.loggedIn.value).toBe(false);
  server.away = true;
  await expect(session.resume()).rejects.toMatchObject({ code: "offline" });
});

test("a token that has run out is renewed once for all who ask, and what was sent is sent again", async () => {
  const { server, session, asker } = loggedOut();
  await session.logIn("admin", "secret");
  server.living = "t2";
  const answers = await Promise.all([
    asker.ask("POST", "/a", { body: { x: 1 } }),
    asker.ask("POST", "/b", { body: { x: 2 } }),
  ]);
  expect(answers).toEqual([{ body: '{"x":1}' }, { body: '{"x":2}' }]);
  expect(server.asked.filter((one) => one.includes("refresh"))).toHaveLength(1);
});

test("a login that has ended is told", async () => {
  const { server, session, asker } = loggedOut();
  await session.logIn("admin", "secret");
  server.living = "t2";
  server.refresh = Response.json({}, { status: 401 });
  await expect(asker.ask("GET", "/rooms")).rejects.toMatchObject({ code: "session_ended" });
  expect(session.loggedIn.value).toBe(false);
});

test("a server that fails while a token is renewed ends no login", async () => {
  const { server, session, asker } = loggedOut();
  await session.logIn("admin", "secret");
  server.living = "t2";
  server.refresh = Response.json({ code: "store_unavailable", message: "busy" }, { status: 503 });
  await expect(asker.ask("GET", "/rooms")).rejects.toMatchObject({ code: "store_unavailable" });
  expect(session.loggedIn.value).toBe(true);
});

test("tabs of one browser renew one after the other", async () => {
  const names: string[] = [];
  const locks = {
    request: async (name: string, act: () => Promise<unknown>) => {
      names.push(name);
      return act();
    },
  } as unknown as LockManager;
  const server = new FakeServer();
  await new LoginSession(ORIGIN, server.fetch, locks).resume();
  expect(names).toEqual(["tertulia.console.refresh"]);
});

test("after logging out no token is left", async () => {
  const { server, session, asker } = loggedOut();
  await session.logIn("admin", "secret");
  await session.logOut();
  expect(session.loggedIn.value).toBe(false);
  server.refresh = Response.json({}, { status: 401 });
  await expect(asker.ask("GET", "/rooms")).rejects.toMatchObject({ code: "session_ended" });
  expect(server.asked).toContain("POST /auth/logout t1");
});

test("an error's code, message, fields and waiting time are read", async () => {
  const body = { code: "invalid_body", message: "Invalid", details: [{ field: "a.b", message: "too long" }] };
  const fetch = async () => Response.json(body, { status: 422, headers: { "retry-after": "7" } });
  const asker = new Asker(ORIGIN, new LoginSession(ORIGIN, fetch, undefined));
  const refusal = await asker.ask("PUT", "/x").catch((error: unknown) => error);
  expect(refusal).toMatchObject({ code: "invalid_body", status: 422, message: "Invalid", retryAfterS: 7 });
  expect((refusal as { fields: Map<string, string> }).fields.get("a.b")).toBe("too long");
});
