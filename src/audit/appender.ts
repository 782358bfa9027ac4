import { hash } from 'node:crypto';
import { closeSync, fdatasync, fdatasyncSync, writeSync } from 'node:fs';

import { dayOf, isInPlace, openDayFile, type DayFile } from './day-file.ts';
import type { Torn } from './record.ts';

/** Appends whole lines to the file of the day. */
export interface Appender {
  /**
   * Opens the file of this time, or of the latest day seen when the clock went back, so that a chain never runs
   * backwards through the files. `check` looks whether the file is still in its place, which costs as much as writing.
   * Throws the system’s errors.
   */
  ready(time: string, check: boolean): void;
  /** Fragments found or left behind that no record vouches for yet. */
  torn(): readonly Torn[];
  /**
   * One write(2). `vouches` says that the record names all of `torn()`; it then begins on a new line.
   * Throws the system’s errors, and one of its own for a write that was cut short.
   */
  append(line: Buffer, vouches: boolean): void;
  /** The file that was written to last, for messages. */
  path(): string;
  /** Waits for the disk. */
  syncNow(): void;
  /** As `syncNow`, off this thread; `undefined` when it went well. */
  sync(done: (error: Error | undefined) => void): void;
  close(): void;
}

const NEWLINE = Buffer.from('\n');

/** The fragments of a disk that stays full are few; a bound all the same. */
const MAX_TORN = 64;

/** Appends to the files in `directory`, which must exist. `onReplaced` is told when a file was taken away from under us. */
export function createAppender(directory: string, onReplaced: (path: string) => void): Appender {
  let file: DayFile | undefined;
  let torn: Torn[] = [];
  let syncing: DayFile | undefined;

  /** A descriptor that a sync is using is closed by the end of that sync. */
  const drop = (old: DayFile): void => {
    if (syncing !== old) closeSync(old.descriptor);
  };
  const open = (day: string): DayFile => {
    const opened = openDayFile(directory, day);
    if (opened.torn !== undefined) torn = [...torn, opened.torn].slice(-MAX_TORN);
    file = opened;
    return opened;
  };
  const current = (): DayFile => {
    if (file === undefined) throw new Error('no journal file is open');
    return file;
  };

  return {
    ready(time, check) {
      const day = dayOf(time);
      if (file === undefined) {
        open(day);
      } else if (day > file.day) {
        const old = file;
        fdatasyncSync(old.descriptor);
        open(day);
        drop(old);
      } else if (check && !isInPlace(file)) {
        const old = file;
        open(old.day);
        drop(old);
        onReplaced(old.path);
      }
    },
    torn: () => torn,
    append(line, vouches) {
      const data = vouches ? Buffer.concat([NEWLINE, line]) : line;
      const expected = data.length;
      const written = writeSync(current().descriptor, data, 0, expected);
      if (written === expected) {
        if (vouches) torn = [];
        return;
      }
      const fragment = data.subarray(vouches ? 1 : 0, written);
      if (fragment.length > 0) torn = [...torn, { bytes: fragment.length, digest: hash('sha256', fragment, 'hex') }].slice(-MAX_TORN);
      throw new Error(`only ${written} of ${expected} bytes were written, the disk may be full`);
    },
    path: () => file?.path ?? directory,
    syncNow() {
      if (file !== undefined) fdatasyncSync(file.descriptor);
    },
    sync(done) {
      const target = current();
      syncing = target;
      fdatasync(target.descriptor, (error) => {
        syncing = undefined;
        if (file !== target) closeSync(target.descriptor);
        done(error ?? undefined);
      });
    },
    close() {
      if (file === undefined) return;
      const old = file;
      file = undefined;
      drop(old);
    },
  };
}
