import { Icon, type IconName } from "../components/Icon.tsx";

interface ControlButtonProps {
  readonly id: string;
  readonly icon: IconName;
  readonly label: string;
  readonly hint?: string | undefined;
  readonly badge?: number;
  readonly pressed?: boolean;
  /** Of what opens beside it: shown as pressed too. */
  readonly expanded?: boolean;
  readonly active?: boolean;
  readonly off?: boolean;
  readonly onClick: () => void;
}

/** A button of the control bar: its icon, with words where there is room for them. */
export function ControlButton(props: ControlButtonProps) {
  const { id, icon, label, hint, badge = 0, pressed, expanded, active, off, onClick } = props;
  const look = [`control ${id}`, off && "off", (active || pressed || expanded) && "active"].filter(Boolean).join(" ");
  return (
    <button
      type="button"
      class={look}
      data-control={id}
      aria-label={hint ?? label}
      title={hint ?? label}
      aria-pressed={pressed}
      aria-expanded={expanded}
      onClick={onClick}
    >
      <span class="control-icon">
        <Icon name={icon} />
        {badge > 0 && (
          <span class="unread" aria-hidden="true">
            {badge}
          </span>
        )}
      </span>
      <span class="control-label" aria-hidden="true">
        {label}
      </span>
    </button>
  );
}
