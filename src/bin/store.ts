/** The process that has the store of a stopped service open for `edge shell`. */
import './own-imports.ts';

const { serveStore } = await import('../management/store-process/index.ts');
await serveStore(process.argv.slice(2));
