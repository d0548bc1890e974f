/** How text for a person is made. */
export interface RenderOptions {
  /** Columns of the terminal. */
  readonly width: number;
  readonly colour: boolean;
}

/** What Format-Table and Format-List write: text that is laid out where it is shown, when the width is known. */
export class Rendered {
  readonly render: (options: RenderOptions) => string;

  constructor(render: (options: RenderOptions) => string) {
    this.render = render;
  }
}
