import { checkConditions } from '../fields/call-conditions.js';
import { didRule } from '../nouns/did-rule.js';
import { operationsOf } from '../operations/operations.js';

/** Where calls go on some conditions, instead of where their DID leads. */
export const didRules = operationsOf(didRule, { check: checkConditions });
