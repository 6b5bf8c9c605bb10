// Runs calls of Alipay's own client: node client.mjs FOLDER, with {config, calls} on stdin and a list of results out.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const { AlipaySdk } = createRequire(`${process.argv[2]}/`)('alipay-sdk');
const { config, calls } = JSON.parse(readFileSync(0, 'utf8'));
const sdk = new AlipaySdk(config);
const results = [];
for (const [name, ...given] of calls) {
  try {
    results.push({ said: await sdk[name](...given) });
  } catch (error) {
    results.push({ error: error.message });
  }
}
process.stdout.write(JSON.stringify(results));
