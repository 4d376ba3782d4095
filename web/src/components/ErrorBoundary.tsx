import { Component, type ComponentChildren } from "preact";
import { text } from "../i18n/index.ts";

interface ErrorBoundaryProps {
  /** What cannot be shown when it fails. Without a name nothing takes its place. */
  readonly part?: string;
  readonly children: ComponentChildren;
}

/** Contains a failure of the views inside: the rest of the page, and above all sound and video, goes on. */
export class ErrorBoundary extends Component<ErrorBoundaryProps, { readonly failed: boolean }> {
  override state = { failed: false };

  static override getDerivedStateFromError(): { readonly failed: boolean } {
    return { failed: true };
  }

  override componentDidCatch(error: unknown): void {
    // reported as any other uncaught error is, so that it is found
    reportError(error);
  }

  override render({ part, children }: ErrorBoundaryProps) {
    if (!this.state.failed) return children;
    if (!part) return null;
    return (
      <div class="message failed-part" role="alert">
        <p>
          <strong>{text.failedPart.title(part)}</strong> {text.failedPart.advice}
        </p>
        <button type="button" onClick={() => this.setState({ failed: false })}>
          {text.failedPart.retry}
        </button>
      </div>
    );
  }
}
