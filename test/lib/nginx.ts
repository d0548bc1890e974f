/** nginx's mail proxy in front of an SMTP server: who the client is goes on by XCLIENT. */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './ports.ts';
import { program, type RunningProgram } from './program.ts';

/** `auth` is nginx's own name for how its clients may prove who they are: 'none', 'plain', … */
function configuration(folder: string, port: number, verdicts: number, auth: string): string {
  return `load_module /usr/lib/nginx/modules/ngx_mail_module.so;
daemon off;
master_process off;
pid ${folder}/pid;
error_log ${folder}/error.log;
events { worker_connections 64; }
mail {
  server_name balancer.example.org;
  auth_http 127.0.0.1:${verdicts}/;
  proxy_pass_error_message on;
  server {
    listen 127.0.0.1:${port};
    protocol smtp;
    smtp_auth ${auth};
  }
}
`;
}

/** A proxy that takes every password for right. Its `port` is on 127.0.0.1. */
export async function nginxMailProxy(serverPort: number, auth: string): Promise<RunningProgram> {
  const folder = await mkdtemp(join(tmpdir(), 'edge-nginx-'));
  const verdicts = createServer((_request, response) => {
    response.writeHead(200, {
      'Auth-Status': 'OK',
      'Auth-Server': '127.0.0.1',
      'Auth-Port': serverPort,
      Connection: 'close',
    });
    response.end();
  });
  verdicts.listen(0, '127.0.0.1');
  await once(verdicts, 'listening');
  const end = async (): Promise<void> => {
    verdicts.close();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const file = join(folder, 'nginx.conf');
    const port = await freePort();
    await writeFile(file, configuration(folder, port, (verdicts.address() as AddressInfo).port, auth));
    const nginx = await program('/usr/sbin/nginx', () => ['-p', folder, '-c', file], folder, port);
    return {
      port,
      [Symbol.asyncDispose]: async () => {
        await nginx[Symbol.asyncDispose]();
        await end();
      },
    };
  } catch (error) {
    await end();
    throw error;
  }
}
