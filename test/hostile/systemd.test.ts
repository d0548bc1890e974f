/**
 * The unit under a systemd of its own, as process 1 of namespaces on an overlay of the root file system: that the service starts with
 * what the unit leaves it, what its processes may, and that it reloads and stops. Only in the long form (`make hostile`, root).
 * PrivateDevices makes device files, which a container may not: it is left out where that is so.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { full } from './lib/siege.ts';

const program = fileURLToPath(new URL('../..', import.meta.url));

/** Runs in there, as the README says it, and writes what it finds. */
const probe = `#!/bin/sh
exec >> /dev/console 2>&1
ip link set lo up
printf '[Service]\\nType=oneshot\\nExecStart=/bin/true\\nPrivateDevices=yes\\n' > /run/systemd/system/devices.service
systemctl daemon-reload
if ! systemctl start devices; then
  mkdir -p /run/systemd/system/edge.service.d
  printf '[Service]\\nPrivateDevices=no\\n' > /run/systemd/system/edge.service.d/container.conf
  systemctl daemon-reload
fi
systemctl start edge; echo "start: $?"
systemctl show edge -p ActiveState,StatusText
/opt/edge/src/bin/edge status --state /var/lib/edge; echo "status: $?"
for pid in $(cat /sys/fs/cgroup/system.slice/edge.service/cgroup.procs); do
  echo process $(grep -E '^(Uid|CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/$pid/status)
done
systemctl reload edge; echo "reload: $?"
systemctl stop edge; echo "stop: $?"
systemctl show edge -p ActiveState,Result
journalctl -u edge --no-pager
systemctl exit 0
`;

const unit = `[Unit]
DefaultDependencies=no
After=systemd-journald.socket
[Service]
Type=oneshot
ExecStart=/usr/local/bin/probe
TimeoutStartSec=240
`;

/** `$0`: a folder for the mounts, `$1`: the file that is the console, `$2`: the program, `$3`: the probe, `$4`: its unit. */
const script = `set -e
b=$0; mount -t tmpfs tmpfs $b; mkdir $b/upper $b/work $b/root; r=$b/root
mount -t overlay -o lowerdir=/,upperdir=$b/upper,workdir=$b/work overlay $r
mount -t proc proc $r/proc
mount -t tmpfs tmpfs $r/dev
for device in null zero full random urandom tty; do touch $r/dev/$device; mount --bind /dev/$device $r/dev/$device; done
mkdir $r/dev/pts $r/dev/shm; ln -s /proc/self/fd $r/dev/fd; ln -s fd/0 $r/dev/stdin; ln -s fd/1 $r/dev/stdout; ln -s fd/2 $r/dev/stderr
touch $r/dev/console; mount --bind "$1" $r/dev/console
mount -t sysfs sysfs $r/sys; mount -t cgroup2 cgroup2 $r/sys/fs/cgroup
mkdir -p $r/opt/edge; mount --bind "$2" $r/opt/edge
install -m 755 "$3" $r/usr/local/bin/probe; install -m 644 "$4" $r/etc/systemd/system/probe.service
mount -t tmpfs tmpfs $r/run; mount -t tmpfs tmpfs $r/tmp
chroot $r sh -c 'id edge >/dev/null 2>&1 || useradd --system --home-dir /var/lib/edge --shell /usr/sbin/nologin edge'
rm -rf $r/var/lib/edge; chroot $r install -d -o edge -g edge -m 700 /var/lib/edge
chroot $r install -m 644 /opt/edge/src/processes/launch/edge.service /etc/systemd/system/
rm -f $r/etc/systemd/system/*.wants/*
cd $r; mkdir old; pivot_root . old; umount -l /old
container=test exec /lib/systemd/systemd --unit=probe.service --log-target=console`;

if (full)
  test('the service runs under systemd, with the rights that its unit leaves it', { timeout: 400_000 }, (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'edge-systemd-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const [place, console, tool, service] = ['mounts', 'console', 'probe', 'unit'].map((name) => join(folder, name));
    execFileSync('mkdir', [place ?? '']);
    writeFileSync(console ?? '', '');
    writeFileSync(tool ?? '', probe);
    writeFileSync(service ?? '', unit);
    const spaces = ['--mount', '--pid', '--kill-child', '--fork', '--uts', '--ipc', '--cgroup', '--net'];
    const command = ['sh', '-c', script, place, console, program, tool, service].map(String);
    const ran = spawnSync('unshare', [...spaces, '--propagation', 'private', ...command], {
      encoding: 'utf8',
      timeout: 350_000,
      killSignal: 'SIGKILL',
    });
    const said = readFileSync(console ?? '', 'utf8');
    const all = `${said}\n${ran.stdout}\n${ran.stderr}`;
    assert.match(said, /^start: 0\nActiveState=active\n|^start: 0\nStatusText=.*\nActiveState=active\n/m, all);
    assert.match(said, /^StatusText=EdgeTransport is ready, smtp on 0\.0\.0\.0:25$/m, all);
    for (const line of ['status: 0', 'reload: 0', 'stop: 0', 'Result=success', 'ActiveState=inactive'])
      assert.ok(said.split('\n').includes(line), `${line}: ${all}`);
    const processes = said.split('\n').filter((line) => line.startsWith('process '));
    assert.ok(processes.length >= 3, all);
    const [supervisor, ...others] = processes;
    assert.equal(
      supervisor,
      'process Uid: 0 0 0 0 CapEff: 00000000000005e0 CapBnd: 00000000000005e0 NoNewPrivs: 1 Seccomp: 2',
    );
    for (const other of others)
      assert.match(other, /^process Uid: ([1-9]\d*) \1 \1 \1 CapEff: 0{16} CapBnd: 0{16} NoNewPrivs: 1 Seccomp: 2$/);
  });
