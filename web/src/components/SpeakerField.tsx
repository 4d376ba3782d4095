import { text } from "../i18n/index.ts";
import type { Speaker } from "../session/speaker.ts";
import { DeviceSelect } from "./DeviceSelect.tsx";
import { ErrorMessage } from "./ErrorMessage.tsx";

/** How a browser lists the system's own choice, where it does. */
const SYSTEMS_CHOICE = "default";

/** Where sound is heard, with a test. Browsers that leave no choice to a page have the test alone. */
export function SpeakerField({ speaker }: { readonly speaker: Speaker }) {
  const options = speaker.options.value;
  const isListed = options.some(({ id }) => id === SYSTEMS_CHOICE);
  return (
    <div class="device">
      <div class="speaker">
        {options.length > 0 && (
          <DeviceSelect
            label={text.before.speaker}
            options={options}
            selectedId={speaker.selectedId.value || (isListed ? SYSTEMS_CHOICE : "")}
            onSelect={(id) => speaker.select(id)}
          />
        )}
        <button type="button" aria-disabled={speaker.testing.value} onClick={() => void speaker.test()}>
          {speaker.testing.value ? text.before.playing : text.before.testSound}
        </button>
      </div>
      {speaker.failed.value && <ErrorMessage text={text.errors.device_failed} about={text.before.speaker} />}
    </div>
  );
}
