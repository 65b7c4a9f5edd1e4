/**
 * Resolves at the first SIGTERM or SIGINT, so that what runs can end in good order. A second one ends the process at
 * once, with the status that a shell gives an interrupted command.
 */
export function untilSignalled(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let seen = false;
    const take = (signal: NodeJS.Signals): void => {
      if (seen) process.exit(130);
      seen = true;
      resolve(signal);
    };
    process.on('SIGTERM', take);
    process.on('SIGINT', take);
  });
}
