// Judges documents by a schema with ajv. Arguments: the folder that ajv is installed in, and the schema. Each line of standard
// input is {"kind", "value"}; each that does not fit is one line of standard output. The last line counts them all.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const [folder, schema] = process.argv.slice(2);
const require = createRequire(join(folder, "package.json"));
const Ajv = require("ajv").default;
const ajv = new Ajv({ strict: false, allErrors: true });
require("ajv-formats").default(ajv);
ajv.addSchema(JSON.parse(readFileSync(schema, "utf8")), "wire");

let judged = 0;
for (const line of readFileSync(0, "utf8").split("\n").filter(Boolean)) {
  const { kind, value } = JSON.parse(line);
  const fits = ajv.getSchema(`wire#/definitions/${kind}`);
  if (!fits) throw new Error(`there is no ${kind} in the schema`);
  judged += 1;
  if (!fits(value)) {
    const found = fits.errors.map((error) => `${error.instancePath} ${error.message}`);
    console.log(`${kind}: ${found.join("; ")}`);
  }
}
console.log(`judged ${judged}`);
