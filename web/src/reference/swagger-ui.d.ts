/** The part of Swagger UI that the reference uses. The package has no types of its own. */
declare module "swagger-ui-dist/swagger-ui-es-bundle.js" {
  /** An element of the React that Swagger UI brings along. */
  export type ReactNode = object | string | null;
  // biome-ignore lint/suspicious/noExplicitAny: Swagger UI hands every component what it likes
  export type Component = (props: any) => ReactNode;

  export interface System {
    readonly React: {
      createElement(type: Component | string, props?: object | null, ...children: ReactNode[]): ReactNode;
      useState<T>(initial: T): [T, (value: T) => void];
    };
    readonly fn: {
      /** @returns an example of what a schema allows, as JSON. */
      getSampleSchema(schema: unknown, contentType: string, options: object): string;
    };
  }

  /** What the Immutable library's collections have in common. */
  export interface Immutable {
    toJS(): unknown;
  }

  export interface Plugin {
    readonly components?: Readonly<Record<string, Component>>;
    readonly wrapComponents?: Readonly<Record<string, (original: Component) => Component>>;
  }

  interface Options {
    readonly domNode: HTMLElement;
    readonly spec: object;
    readonly layout: string;
    readonly plugins: readonly ((system: System) => Plugin)[];
    readonly validatorUrl: null;
    readonly deepLinking: boolean;
    readonly tryItOutEnabled: boolean;
    readonly defaultModelsExpandDepth: number;
    readonly onComplete: () => void;
  }

  export default function SwaggerUI(options: Options): void;
}
