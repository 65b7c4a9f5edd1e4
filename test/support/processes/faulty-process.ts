import { createServer } from 'node:net';

/**
 * A program of its own, for the faults that a server has as a whole: it listens on the port given first and prints a
 * word when it does. With `die` it sends one command and, when that was obeyed, ends as by `kill -9`; with `still` its
 * parent stops it (SIGSTOP) before anybody has connected, so that it has never accepted, and its backlog is short.
 */
const [port, fault] = process.argv.slice(2);

createServer((socket) => {
  socket.on('error', () => undefined);
  if (fault === 'die') {
    let obeyed = '';
    socket.write('VERBOSE "half way" 3\n');
    socket.on('data', (data) => {
      obeyed += data.toString('latin1');
      if (obeyed.includes('\n200 ')) process.kill(process.pid, 'SIGKILL');
    });
  }
}).listen({ port: Number(port), host: '127.0.0.1', backlog: 1 }, () => console.log('listening'));
