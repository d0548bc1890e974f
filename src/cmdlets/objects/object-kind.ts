/** What one kind of object adds to the engine that all share. */
import type { ObjectIdentity, ObjectTable, Properties, ValuesOf } from '../../config/index.ts';
import type { Found } from '../directory-objects.ts';
import type { BoundParameters, CmdletContext, DefaultView, Example, Parameter } from '../runtime.ts';

/** The verbs that the engine knows. */
export type Verb = 'Get' | 'New' | 'Set' | 'Remove';

/** A whole object, or one about to be. */
export type Whole<P extends Properties> = ValuesOf<P> & ObjectIdentity;

/** What a hook gets. */
export interface Request<P extends Properties> {
  readonly context: CmdletContext;
  readonly bound: BoundParameters;
  /** All objects of the table. */
  readonly all: readonly Found<P>[];
}

/** One kind of object. */
export interface ObjectKind<P extends Properties> {
  readonly table: ObjectTable<P>;
  /** Noun of the cmdlets; default: the table's. */
  readonly noun?: string;
  readonly verbs: readonly Verb[];
  readonly view: DefaultView;
  readonly examples: Partial<Record<Verb, readonly Example[]>>;
  /** What differs from the catalogue, by verb and parameter. */
  readonly parameters?: Partial<Record<Verb, Readonly<Record<string, Partial<Parameter>>>>>;
  /** Parameters that are no property and have a meaning here; any other is refused. */
  readonly ownParameters?: Partial<Record<Verb, readonly string[]>>;
  /** Properties that Exchange's cmdlet does not take and ours does. */
  readonly extensions?: Partial<Record<Verb, readonly string[]>>;
  /** Said each time, as for cmdlets that have a successor. */
  readonly notice?: string;
  /** Values of a new object that depend on presets or on the server. Throws CmdletError. */
  preset?(request: Request<P>): Promise<Partial<ValuesOf<P>>> | Partial<ValuesOf<P>>;
  /** What changes beside the bound properties. Throws CmdletError. */
  adjust?(
    request: Request<P>,
    before: Whole<P> | undefined,
    changes: Partial<ValuesOf<P>>,
  ): Partial<ValuesOf<P>> | Promise<Partial<ValuesOf<P>>>;
  /** Throws CmdletError for an object that cannot stand beside the others. */
  checkAmong?(request: Request<P>, candidate: Whole<P>, others: readonly Whole<P>[]): void;
  /** What a Set- would break; each is told before it is done, and asked for. */
  cautions?(request: Request<P>, after: Whole<P>): Promise<readonly string[]>;
  /** What the administrator should know about the new state. */
  warn?(request: Request<P>, after: Whole<P>): void | Promise<void>;
  /** Changes to other objects that follow from a Set-: written together with it. */
  follow?(
    request: Request<P>,
    after: Whole<P>,
  ): readonly { readonly target: Found<P>; readonly changes: Partial<ValuesOf<P>> }[];
  /** Why an object must stay; undefined when it may go. */
  refuseRemoval?(object: Whole<P>, all: readonly Found<P>[]): string | undefined;
}
