import { useLayoutEffect, useRef } from "preact/hooks";
import { text } from "../i18n/index.ts";
import type { Speaker } from "../session/speaker.ts";
import { DeviceSelect } from "./DeviceSelect.tsx";
import { ErrorMessage } from "./ErrorMessage.tsx";

/** How a browser lists the system's own choice, where it does. */
const SYSTEMS_CHOICE = "default";

/**
 * Where sound is heard, with a test. Browsers that leave no choice to a page have the test alone; those that hide
 * speakers are asked for them when the user wants to choose.
 */
export function SpeakerField({ speaker }: { readonly speaker: Speaker }) {
  const options = speaker.options.value;
  const row = useRef<HTMLDivElement>(null);
  const hasAsked = useRef(false);
  const isHidden = speaker.isHidden.value;
  useLayoutEffect(() => {
    // the button that was pressed is gone
    if (hasAsked.current && !isHidden) row.current?.querySelector("select")?.focus();
  }, [isHidden]);
  const isListed = options.some(({ id }) => id === SYSTEMS_CHOICE);
  return (
    <div class="device">
      <div class="speaker" ref={row}>
        {options.length > 0 && (
          <DeviceSelect
            label={text.before.speaker}
            options={options}
            selectedId={speaker.selectedId.value || (isListed ? SYSTEMS_CHOICE : "")}
            onSelect={(id) => speaker.select(id)}
          />
        )}
        {isHidden && (
          <button
            type="button"
            onClick={() => {
              hasAsked.current = true;
              void speaker.ask();
            }}
          >
            {text.before.chooseSpeaker}
          </button>
        )}
        <button type="button" aria-disabled={speaker.testing.value} onClick={() => void speaker.test()}>
          {speaker.testing.value ? text.before.playing : text.before.testSound}
        </button>
      </div>
      {isHidden && speaker.asksForMicrophone && <p class="hint">{text.before.speakersHidden}</p>}
      {speaker.error.value && <ErrorMessage text={text.errors[speaker.error.value]} about={aboutOf(speaker)} />}
    </div>
  );
}

/** Whose failure it is: where speakers are hidden, the microphone is what was asked for. */
function aboutOf({ isHidden, asksForMicrophone, error }: Speaker): string {
  const isAboutMicrophone = isHidden.value && asksForMicrophone && error.value !== "device_failed";
  return isAboutMicrophone ? text.device.microphone : text.before.speaker;
}
