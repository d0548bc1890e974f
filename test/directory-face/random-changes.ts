/** Random changes of a tree, for those who follow them. */
import type { DirectoryStore, Operation } from '../../src/directory/index.ts';
import { adminDn } from './face.ts';

/** A deterministic stream of numbers, so that a failure can be repeated. */
function* numbers(seed: number): Generator<number, never, undefined> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state / 2 ** 32;
  }
}

/** Changes as many clients at once make them below a name: some commits hold one, some many. The seed repeats them. */
export async function changeAtRandom(store: DirectoryStore, base: string, count: number, seed: number): Promise<void> {
  const stream = numbers(seed);
  const below = (limit: number): number => Math.floor(stream.next().value * limit);
  const people = [...store.search({ base, scope: 'sub' })].map(({ dn }) => dn).filter((dn) => dn.startsWith('cn='));
  const folders = [...store.search({ base, scope: 'one' })].map(({ dn }) => dn).filter((dn) => dn.startsWith('ou='));
  const next = (i: number): Operation => {
    const at = below(people.length);
    const dn = people[at];
    const folder = folders[below(folders.length)] ?? base;
    const step = below(10);
    if (dn === undefined || step < 4) {
      people.push(`cn=${seed} ${i},${folder}`);
      return { kind: 'add', dn: `cn=${seed} ${i},${folder}`, attributes: person(`s${i}`) };
    }
    if (step < 7) {
      const values = Array.from({ length: below(3) }, (_, n) => Buffer.from(`${i} ${n}`));
      return { kind: 'modify', dn, modifications: [{ operation: 'replace', attribute: 'description', values }] };
    }
    if (step < 8) {
      people.splice(at, 1);
      return { kind: 'delete', dn };
    }
    people[at] = `cn=r${seed} ${i},${folder}`;
    return { kind: 'modifyDn', dn, newRdn: `cn=r${seed} ${i}`, deleteOldRdn: true, newSuperior: folder };
  };
  for (let i = 0; i < count; ) {
    const size = Math.min(1 + below(60), count - i);
    const operations = Array.from({ length: size }, (_, n) => next(i + n));
    await store.batch(operations, { actor: adminDn });
    i += size;
  }
}

const person = (sn: string) => [
  { attribute: 'objectClass', values: ['top', 'person'].map((name) => Buffer.from(name)) },
  { attribute: 'sn', values: [Buffer.from(sn)] },
];
