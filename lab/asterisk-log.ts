/** What a busy machine alone makes Asterisk say: of two things that happen at once only who comes first differs. */
const ofTheMoment: readonly RegExp[] = [
  // The end of a call and its answer crossed.
  / chan_pjsip\.c: Session already DISCONNECTED/,
  / taskprocessor\.c: .* scheduled tasks/,
  // A module of SIP joined when the loop of pjproject ran already, as it does at each start.
  / pjproject: .*sip_endpoint\.c .*registered during operation/,
  // A tone begins (`ast_activate_generator`), or music goes on, for who has hung up in that moment.
  / channel\.c: Prodding channel '[^']*' failed/,
  / res_musiconhold\.c: Failed to write frame to /,
  // A channel that goes into a bridge takes the bridge's codec in the moment in which a sound is opened for another one. Of a
  // sound that there is not, Asterisk says before this that it "does not exist in any format".
  / file\.c: Unable to open \S+ \(format [^:]*: No such file or directory$/,
];

/** Whether a line of Asterisk's log is a WARNING or an ERROR of which somebody's configuration, or our files, may be the cause. */
export const isWrong = (line: string): boolean =>
  /^\[[^\]]*\] (WARNING|ERROR)\[/.test(line) && !ofTheMoment.some((one) => one.test(line));
