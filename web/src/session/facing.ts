/** Where a camera of a phone or tablet looks. Other cameras do not tell. */
export type Facing = "user" | "environment";

/** @returns null for a camera that does not tell. */
export function facingOf({ facingMode }: Pick<MediaTrackSettings, "facingMode">): Facing | null {
  return facingMode === "user" || facingMode === "environment" ? facingMode : null;
}

export function oppositeOf(facing: Facing): Facing {
  return facing === "user" ? "environment" : "user";
}
