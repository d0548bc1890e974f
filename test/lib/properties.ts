/**
 * fast-check for the tests. In a whole run its seed comes from the commit (`run-all.ts`): what passes on one clone passes on the
 * next one, and each commit tries other cases. A file that is run by itself, and `make fuzz`, draw a new seed each time.
 */
import fc from 'fast-check';

const seed = process.env['EDGE_PROPERTY_SEED'];
if (seed !== undefined) fc.configureGlobal({ seed: Number(seed) });

export default fc;
