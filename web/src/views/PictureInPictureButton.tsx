import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Icon } from "../components/Icon.tsx";
import { text } from "../i18n/index.ts";
import type { Layout } from "../session/layout.ts";
import type { Meeting } from "../session/meeting.ts";

/** Firefox has neither, and a button of its own on every video. */
const isAvailable = "documentPictureInPicture" in globalThis || document.pictureInPictureEnabled;

interface PictureInPictureButtonProps {
  readonly meeting: Meeting;
  readonly layout: Layout;
}

/** The meeting in a small window that stays above all others. It closes with the meeting. */
export function PictureInPictureButton({ meeting, layout }: PictureInPictureButtonProps) {
  const isOpen = useSignal(false);
  const close = useRef(() => {});
  useEffect(() => () => close.current(), []);
  if (!isAvailable) return null;

  async function open(): Promise<void> {
    const { openPictureInPicture } = await import("./picture_in_picture.tsx");
    close.current = await openPictureInPicture(meeting, layout, () => {
      isOpen.value = false;
    });
    isOpen.value = true;
  }

  return (
    <button
      type="button"
      class="quiet"
      aria-label={text.views.pip}
      title={text.views.pip}
      aria-pressed={isOpen.value}
      // a browser that refuses it leaves the page as it is
      onClick={() => (isOpen.value ? close.current() : void open().catch(() => undefined))}
    >
      <Icon name="pip" />
    </button>
  );
}
