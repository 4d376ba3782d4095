import type { TertuliaMeetElement } from "./dist/types.js";

export type * from "./dist/types.js";

/** The element's class; importing the package defines `<tertulia-meet>`. */
export declare const TertuliaMeet: { new (): TertuliaMeetElement; readonly prototype: TertuliaMeetElement };

declare global {
  interface HTMLElementTagNameMap {
    "tertulia-meet": TertuliaMeetElement;
  }
}
