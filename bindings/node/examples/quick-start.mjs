import { AstCoreEngineApi } from 'ast-core-engine';

const root = process.argv[2];
const engine = await AstCoreEngineApi.openTree(root); // or open('anywhere.db')

const { files, symbols } = await engine.index(root);
console.log(`${files.indexed} files, ${symbols} symbols`);

const { hits } = await engine.search('how long until a request is sent again', { limit: 1 });
for (const hit of hits) console.log(`${hit.path}:${hit.startLine} ${hit.kind} ${hit.name}`);

await engine.close();
