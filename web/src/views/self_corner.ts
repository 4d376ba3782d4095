import type { Corner, Layout } from "../session/layout.ts";

/** Lets the user drag the own picture, where it lies over that of the other one, to another corner. */
export function draggedSelf(start: PointerEvent, layout: Layout): void {
  const target = start.target as Element;
  const tile = target.closest<HTMLElement>('.one-to-one .tile[data-local="true"]');
  const area = tile?.closest(".one-to-one");
  if (!tile || !area || target.closest("button") || getComputedStyle(tile).position !== "absolute") return;
  const ending = new AbortController();
  const { signal } = ending;
  tile.setPointerCapture(start.pointerId);
  const move = (event: PointerEvent) => {
    tile.style.translate = `${event.clientX - start.clientX}px ${event.clientY - start.clientY}px`;
  };
  const end = () => {
    ending.abort();
    layout.corner.value = cornerAt(tile.getBoundingClientRect(), area);
    tile.style.translate = "";
  };
  tile.addEventListener("pointermove", move, { signal });
  tile.addEventListener("pointerup", end, { signal });
  tile.addEventListener("pointercancel", end, { signal });
}

function cornerAt({ x, y, width, height }: DOMRect, area: Element): Corner {
  const around = area.getBoundingClientRect();
  const isTop = y + height / 2 < around.y + around.height / 2;
  const isLeft = x + width / 2 < around.x + around.width / 2;
  const isStart = isLeft === (getComputedStyle(area).direction === "ltr");
  return `${isTop ? "top" : "bottom"}-${isStart ? "start" : "end"}`;
}
