/** An entry being made or changed, attribute by attribute, under the rules of RFC 4511 §4.6 and §4.7. */
import {
  type AttributeValues,
  type KnownAttribute,
  LdapError,
  type Modification,
  type Rdn,
  type Schema,
} from '../../../ldap/index.ts';
import { computedKeys } from './stored-entry.ts';
import { identityOf, positionOf, repeated } from './values.ts';

/** An attribute description with its values. */
export interface Slot {
  readonly attribute: KnownAttribute;
  readonly name: string;
  values: readonly Buffer[];
}

export class EntryDraft {
  readonly #schema: Schema;
  readonly #slots = new Map<string, Slot>();

  constructor(schema: Schema, attributes: readonly AttributeValues[] = []) {
    this.#schema = schema;
    for (const { attribute, values } of attributes) this.#slot(attribute).values = values;
  }

  get attributes(): AttributeValues[] {
    return [...this.#slots.values()]
      .filter(({ values }) => values.length > 0)
      .map(({ name, values }) => ({ attribute: name, values }));
  }

  /** What has values, with the type of each. */
  get filled(): Slot[] {
    return [...this.#slots.values()].filter(({ values }) => values.length > 0);
  }

  /** Values of the attribute without options. */
  values(name: string): readonly Buffer[] {
    return this.#slots.get(name.toLowerCase())?.values ?? [];
  }

  /** Sets what the store itself keeps. */
  put(name: string, values: readonly (string | Buffer)[]): void {
    this.#slot(name).values = values.map((value) => (typeof value === 'string' ? Buffer.from(value) : value));
  }

  /** One step of a modify, or an attribute of an add. Throws LdapError. */
  apply({ operation, attribute, values }: Modification, system: boolean): void {
    const slot = this.#slot(attribute);
    checkWritable(slot.attribute, system);
    if (operation !== 'delete') this.#checkSyntax(slot, values);
    switch (operation) {
      case 'add':
        return this.#add(slot, values);
      case 'delete':
        return this.#delete(slot, values);
      case 'replace':
        return this.#replace(slot, values);
      case 'increment':
        return this.#increment(slot, values);
    }
  }

  /** Adds the values of an RDN that are not there yet. Throws LdapError namingViolation. */
  addNaming(rdn: Rdn): void {
    for (const { type, value } of rdn) {
      const slot = this.#namingSlot(type, value);
      if (positionOf(slot.attribute, slot.values, value, this.#schema) >= 0) continue;
      if (slot.attribute.singleValue && slot.values.length > 0) {
        throw new LdapError('namingViolation', `${slot.name} takes one value, and that is not the one of the name`);
      }
      slot.values = [...slot.values, value];
    }
  }

  /** Removes the values of an old RDN. */
  removeNaming(rdn: Rdn): void {
    for (const { type, value } of rdn) {
      const slot = this.#slot(type);
      const identity = identityOf(slot.attribute, value, this.#schema);
      slot.values = slot.values.filter((each) => identityOf(slot.attribute, each, this.#schema) !== identity);
    }
  }

  /** Throws LdapError notAllowedOnRDN when a value of the name is gone. */
  checkNaming(rdn: Rdn): void {
    for (const { type, value } of rdn) {
      const slot = this.#slot(type);
      if (positionOf(slot.attribute, slot.values, value, this.#schema) < 0) {
        throw new LdapError(
          'notAllowedOnRDN',
          `${slot.name} holds a value of the entry's name: rename the entry instead`,
        );
      }
    }
  }

  #slot(description: string): Slot {
    const known = this.#slots.get(description.toLowerCase());
    if (known !== undefined) return known;
    const described = this.#schema.describe(description);
    if (described === undefined)
      throw new LdapError(
        'undefinedAttributeType',
        `the attribute '${description.slice(0, 100)}' is not in the schema`,
      );
    const name = [described.attribute.name, ...described.options].join(';');
    const slot = this.#slots.get(name.toLowerCase()) ?? { attribute: described.attribute, name, values: [] };
    this.#slots.set(name.toLowerCase(), slot);
    return slot;
  }

  #namingSlot(type: string, value: Buffer): Slot {
    const slot = this.#slot(type);
    const { attribute } = slot;
    if (attribute.equalityRule === undefined || attribute.usage !== 'userApplications') {
      throw new LdapError('namingViolation', `${attribute.name} cannot stand in a name`);
    }
    if (!this.#schema.accepts(attribute, value)) {
      throw new LdapError('invalidDNSyntax', `the name holds a value that is none of ${attribute.name}`);
    }
    return slot;
  }

  #checkSyntax({ attribute, name }: Slot, values: readonly Buffer[]): void {
    const wrong = values.findIndex(
      (value) => !this.#schema.accepts(attribute, value) || !hasNormalForm(attribute, value, this.#schema),
    );
    if (wrong >= 0)
      throw new LdapError(
        'invalidAttributeSyntax',
        `${name}: value ${wrong + 1} has not the syntax ${attribute.syntax}`,
      );
  }

  #add(slot: Slot, values: readonly Buffer[]): void {
    if (values.length === 0) throw new LdapError('protocolError', `${slot.name}: there are no values to add`);
    const all = [...slot.values, ...values];
    if (repeated(slot.attribute, all, this.#schema) !== undefined) {
      throw new LdapError('attributeOrValueExists', `${slot.name}: a value is there already, or is given twice`);
    }
    slot.values = all;
  }

  #delete(slot: Slot, values: readonly Buffer[]): void {
    if (slot.values.length === 0) throw new LdapError('noSuchAttribute', `there is no ${slot.name}`);
    if (values.length === 0) {
      slot.values = [];
      return;
    }
    if (slot.attribute.equalityRule === undefined) {
      throw new LdapError('inappropriateMatching', `${slot.name} has no equality rule: delete it as a whole`);
    }
    const left = new Map(slot.values.map((value) => [identityOf(slot.attribute, value, this.#schema), value]));
    for (const value of values) {
      if (!left.delete(identityOf(slot.attribute, value, this.#schema))) {
        throw new LdapError('noSuchAttribute', `${slot.name} has not the value that is to be deleted`);
      }
    }
    slot.values = [...left.values()];
  }

  #replace(slot: Slot, values: readonly Buffer[]): void {
    if (repeated(slot.attribute, values, this.#schema) !== undefined) {
      throw new LdapError('attributeOrValueExists', `${slot.name}: a value is given twice`);
    }
    slot.values = values;
  }

  /** RFC 4525 §1: every value grows by the one number given. */
  #increment(slot: Slot, values: readonly Buffer[]): void {
    const [step] = values;
    if (step === undefined || values.length > 1)
      throw new LdapError('protocolError', `${slot.name}: an increment has one value`);
    if (slot.values.length === 0) throw new LdapError('noSuchAttribute', `there is no ${slot.name}`);
    if (
      !/^-?\d{1,400}$/.test(step.toString('latin1')) ||
      slot.attribute.orderingRule?.name !== 'integerOrderingMatch'
    ) {
      throw new LdapError('constraintViolation', `${slot.name} is not a number`);
    }
    slot.values = slot.values.map((value) =>
      Buffer.from(String(BigInt(value.toString('latin1')) + BigInt(step.toString('latin1')))),
    );
    this.#checkSyntax(slot, slot.values);
  }
}

function checkWritable(attribute: KnownAttribute, system: boolean): void {
  if (computedKeys.has(attribute.key))
    throw new LdapError('constraintViolation', `${attribute.name} is kept by the server`);
  if (attribute.noUserModification && !system)
    throw new LdapError('constraintViolation', `${attribute.name} cannot be changed by clients`);
}

const hasNormalForm = (attribute: KnownAttribute, value: Buffer, schema: Schema): boolean =>
  attribute.equalityRule === undefined || attribute.equalityRule.normalise(value, schema) !== undefined;
