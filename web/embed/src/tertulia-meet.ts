import { TertuliaMeet } from "./element.ts";

export { TertuliaMeet } from "./element.ts";

if (!customElements.get("tertulia-meet")) customElements.define("tertulia-meet", TertuliaMeet);
