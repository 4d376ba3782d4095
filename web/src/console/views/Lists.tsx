import type { ComponentChildren } from "preact";
import type { Order } from "../api/server.ts";
import { numberOf } from "../i18n/format.ts";
import { text } from "../i18n/index.ts";
import type { PagedList, Pages } from "../session/paged_list.ts";
import { ConsoleIcon } from "./ConsoleIcon.tsx";

interface Sorted {
  readonly search: string;
  readonly sort: string;
  readonly order: Order;
}

interface ToolsProps<Item, Filter extends Sorted> {
  readonly list: PagedList<Item, Filter>;
  readonly searchLabel: string;
  readonly sortLabel: string;
  readonly sorts: Readonly<Record<string, string>>;
  readonly children?: ComponentChildren;
}

/** Search and sort above a list; the server does both. */
export function ListTools<Item, Filter extends Sorted>(props: ToolsProps<Item, Filter>) {
  const { list, searchLabel, sortLabel, sorts, children } = props;
  const { search, sort, order } = list.filter.value;
  return (
    <div class="list-tools">
      <div class="search">
        <ConsoleIcon name="search" />
        <input
          type="search"
          aria-label={searchLabel}
          placeholder={searchLabel}
          value={search}
          onInput={(event) => list.changeSoon({ search: event.currentTarget.value } as Partial<Filter>)}
        />
      </div>
      {children}
      <select
        aria-label={sortLabel}
        value={`${sort}:${order}`}
        onChange={(event) => {
          const [by = "", direction = ""] = event.currentTarget.value.split(":");
          void list.change({ sort: by, order: direction } as Partial<Filter>);
        }}
      >
        {Object.entries(sorts).map(([value, label]) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </select>
    </div>
  );
}

interface SelectionProps {
  readonly all: string;
  readonly count: number;
  readonly of: number;
  readonly onAll: (on: boolean) => void;
  readonly children: ComponentChildren;
}

/** Selects what is on the page, and shows what can be done with the selected. */
export function Selection({ all, count, of, onAll, children }: SelectionProps) {
  return (
    <div class="selection">
      <label class="checkbox">
        <input
          type="checkbox"
          checked={count > 0 && count === of}
          indeterminate={count > 0 && count < of}
          onChange={(event) => onAll(event.currentTarget.checked)}
        />
        {count > 0 ? text.rooms.selected(numberOf(count)) : all}
      </label>
      {count > 0 && children}
    </div>
  );
}

export function Pager({ list }: { readonly list: Pages }) {
  const page = list.pageNumber.value;
  if (page === 1 && !list.hasNext.value) return null;
  return (
    <nav class="pager" aria-label={text.pages.label}>
      <button type="button" disabled={page === 1} onClick={() => void list.previous()}>
        {text.pages.previous}
      </button>
      <span>{text.pages.page(numberOf(page))}</span>
      <button type="button" disabled={!list.hasNext.value} onClick={() => void list.next()}>
        {text.pages.next}
      </button>
    </nav>
  );
}
