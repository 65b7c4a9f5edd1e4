import { destination } from './description.js';

/**
 * The ten keys that a caller may press, each a destination of its own. `words` say what a key does that leads somewhere,
 * and one that does not. It is part of a description: the same fields in a menu and a queue.
 */
export const keySlots = (words: {
  readonly help: (key: string) => string;
  readonly none: (key: string) => string;
}) => {
  const key = (digit: string) =>
    destination({
      option: `key-${digit}`,
      help: words.help(digit),
      none: words.none(digit),
      listed: false,
    });
  return {
    key1: key('1'),
    key2: key('2'),
    key3: key('3'),
    key4: key('4'),
    key5: key('5'),
    key6: key('6'),
    key7: key('7'),
    key8: key('8'),
    key9: key('9'),
    key0: key('0'),
  };
};
