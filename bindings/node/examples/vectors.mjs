import { AstCoreEngineApi } from 'ast-core-engine';

const engine = await AstCoreEngineApi.open(process.argv[2]);

// Vectors of your own, of any number of values.
await engine.insertVectors(
  [
    { id: 'north', vector: [0, 1], metadata: { degrees: 0 } },
    { id: 'east', vector: [1, 0], metadata: { degrees: 90 } },
  ],
  { collection: 'winds' },
);
const [wind] = await engine.searchSimilar([0.2, 0.9], { collection: 'winds', maxResults: 1 });
console.log(wind.id, wind.metadata.degrees);

await engine.close();
