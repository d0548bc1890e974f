/** How text for a person is made. */
export interface RenderOptions {
  /** Columns of the terminal. */
  readonly width: number;
  readonly colour: boolean;
  /** `$FormatEnumerationLimit`: how many values of a list are shown; absent: Exchange's 16, below 0: all. */
  readonly enumerationLimit?: number;
  /** Hears what could not be shown; absent: nobody does. */
  readonly warn?: (text: string) => void;
}

/** What Format-Table and Format-List write: text that is laid out where it is shown, when the width is known. */
export class Rendered {
  readonly render: (options: RenderOptions) => string;

  constructor(render: (options: RenderOptions) => string) {
    this.render = render;
  }
}
