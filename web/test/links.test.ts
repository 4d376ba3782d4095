import { expect, test } from "vitest";
import { blocksOf, piecesOf } from "../src/session/links.ts";

const linksIn = (text: string) => piecesOf(text).flatMap(({ text: written, href }) => (href ? [[written, href]] : []));

test.each([
  ["see https://example.org/a?b=c#d now", [["https://example.org/a?b=c#d", "https://example.org/a?b=c#d"]]],
  ["HTTP://Example.org.", [["HTTP://Example.org", "http://example.org/"]]],
  ["(https://example.org/a_(b))", [["https://example.org/a_(b)", "https://example.org/a_(b)"]]],
  ["https://example.org/), then", [["https://example.org/", "https://example.org/"]]],
  ["https://مثال.إختبار/x؟", [["https://مثال.إختبار/x؟", "https://xn--mgbh0fb.xn--kgbechtv/x%D8%9F"]]],
])("%s", (text, links) => {
  expect(linksIn(text)).toEqual(links);
});

test.each([
  "javascript:alert(1)",
  "data:text/html,<script>alert(1)</script>",
  "file:///etc/passwd",
  "https://",
  "https:// example.org",
  "xhttps://example.org",
  "https://bank.example@evil.example/",
  "https://user:secret@evil.example/",
])("%s is no link", (text) => {
  expect(piecesOf(text)).toEqual([{ at: 0, text }]);
});

test("a link ends before what is invisible or turns the direction of the text", () => {
  expect(linksIn("https://example.org/\u202egro.knab")).toEqual([["https://example.org/", "https://example.org/"]]);
  expect(linksIn("https://example.org\u200b.evil.example")).toEqual([["https://example.org", "https://example.org/"]]);
});

test("what is shown is what was written, whatever it is", () => {
  const hostile = `<img src=x onerror=alert(1)> https://a.example/"onmouseover="x <https://b.example> ${"https://c.example ".repeat(100)}`;
  expect(
    piecesOf(hostile)
      .map(({ text }) => text)
      .join(""),
  ).toBe(hostile);
  expect(linksIn(hostile).length).toBeLessThanOrEqual(50);
  expect(linksIn(hostile)[0]).toEqual(["https://a.example/", "https://a.example/"]);
});

test("100,000 characters take no time", () => {
  const began = performance.now();
  for (const text of [
    "http://".repeat(15_000),
    `https://${"(".repeat(100_000)}`,
    `https://a.b/${")".repeat(100_000)}`,
    `https://a.b/${".)".repeat(900)} `.repeat(50),
  ])
    piecesOf(text);
  expect(performance.now() - began).toBeLessThan(500);
});

test("a long text is laid out in blocks, which end between words, and in which nothing is missing", () => {
  const link = "https://example.org/plan";
  const text = `${"Where are we? ".repeat(1000)}${link} ${"x".repeat(3999)}${"😀".repeat(4000)}`;
  const blocks = blocksOf(piecesOf(text)).map((block) => block.map((piece) => piece.text).join(""));
  expect(blocks.join("")).toBe(text);
  expect(Math.max(...blocks.map(({ length }) => length))).toBeLessThanOrEqual(4000);
  expect(blocks.slice(0, 3).every((block) => block.endsWith(" "))).toBe(true);
  expect(blocks.filter((block) => block.includes(link))).toHaveLength(1);
  expect(blocks.filter((block) => /^[\uDC00-\uDFFF]|[\uD800-\uDBFF]$/.test(block))).toEqual([]);
  expect(blocksOf(piecesOf("hello"))).toEqual([[{ at: 0, text: "hello" }]]);
  expect(blocksOf([])).toEqual([]);
});
