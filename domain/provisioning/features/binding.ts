import { checkConditions } from '../fields/call-conditions.js';
import { binding } from '../nouns/binding.js';
import { operationsOf } from '../operations/operations.js';

/** Which application a call belongs to. */
export const bindings = operationsOf(binding, { check: checkConditions });
