// node asyncapi.mjs FILE: is it a valid AsyncAPI document, says the reference parser? One line an error; then status 1.
import { readFileSync } from 'node:fs';
import { Parser } from '@asyncapi/parser';

const ERROR = 0;
const file = process.argv[2];
const found = await new Parser().validate(readFileSync(file, 'utf8'));
const errors = found.filter(({ severity }) => severity === ERROR);
for (const { path, message } of errors) console.error(`${path.join('/')}: ${message}`);
process.exitCode = errors.length ? 1 : 0;
