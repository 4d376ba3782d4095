import { expect, test } from "vitest";
import type { Page } from "../../src/console/api/types.ts";
import { type Asked, PagedList } from "../../src/console/session/paged_list.ts";

interface Item {
  readonly name: string;
  readonly size?: number;
}
interface Filter {
  readonly search: string;
}

/** A server whose answers the test gives, in any order. */
function asked() {
  const questions: (Asked<Filter> & { answer(page: Page<Item>): void; fail(): void })[] = [];
  const list = new PagedList<Item, Filter>(
    (question) =>
      new Promise((answer, reject) => void questions.push({ ...question, answer, fail: () => reject(new Error()) })),
    ({ name }) => name,
    { search: "" },
  );
  return { list, questions };
}

const page = (names: string, next: string | null = null): Page<Item> => ({
  items: [...names].map((name) => ({ name })),
  next,
});

test("pages are turned by the tokens of the server", async () => {
  const { list, questions } = asked();
  const first = list.refresh();
  questions[0]?.answer(page("ab", "t2"));
  await first;
  expect([list.hasNext.value, list.pageNumber.value]).toEqual([true, 1]);
  const second = list.next();
  expect(questions[1]?.after).toBe("t2");
  questions[1]?.answer(page("c"));
  await second;
  expect([list.hasNext.value, list.pageNumber.value]).toEqual([false, 2]);
  const back = list.previous();
  expect(questions[2]?.after).toBeNull();
  questions[2]?.answer(page("ab", "t2"));
  await back;
  expect(list.items.value.map(({ name }) => name)).toEqual(["a", "b"]);
});

test("only the newest search counts, whichever answer comes first", async () => {
  const { list, questions } = asked();
  const old = list.change({ search: "a" });
  const newer = list.change({ search: "ab" });
  questions[1]?.answer(page("x"));
  questions[0]?.answer(page("y"));
  await Promise.all([old, newer]);
  expect(list.items.value).toEqual([{ name: "x" }]);
  expect(list.loading.value).toBe(false);
});

test("who types asks once", async () => {
  const { list, questions } = asked();
  for (const search of ["t", "te", "tea"]) list.changeSoon({ search });
  await expect.poll(() => questions.length).toBe(1);
  expect(questions[0]?.filter).toEqual({ search: "tea" });
});

test("a page whose last item has gone is left for the one before", async () => {
  const { list, questions } = asked();
  void list.refresh();
  questions[0]?.answer(page("a", "t2"));
  await expect.poll(() => list.hasNext.value).toBe(true);
  void list.next();
  questions[1]?.answer(page(""));
  await expect.poll(() => questions.length).toBe(3);
  expect(questions[2]?.after).toBeNull();
  questions[2]?.answer(page("a"));
  await expect.poll(() => list.items.value.length).toBe(1);
  expect(list.pageNumber.value).toBe(1);
});

test("what is selected is what is there", async () => {
  const { list, questions } = asked();
  void list.refresh();
  questions[0]?.answer(page("abc"));
  await expect.poll(() => list.items.value.length).toBe(3);
  list.selectAll(true);
  list.select("b", false);
  expect([...list.selected.value]).toEqual(["a", "c"]);
  void list.refresh();
  questions[1]?.answer(page("bc"));
  await expect.poll(() => list.items.value.length).toBe(2);
  expect([...list.selected.value]).toEqual(["c"]);
  list.replace({ name: "c", size: 5 });
  expect(list.items.value).toEqual([{ name: "b" }, { name: "c", size: 5 }]);
});

test("a refusal is shown, and what was there stays", async () => {
  const { list, questions } = asked();
  void list.refresh();
  questions[0]?.answer(page("a"));
  await expect.poll(() => list.loaded.value).toBe(true);
  void list.refresh();
  questions[1]?.fail();
  await expect.poll(() => list.refusal.value?.code).toBe("unexpected");
  expect(list.items.value).toEqual([{ name: "a" }]);
});
