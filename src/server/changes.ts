import type { CatalogSource } from '../catalog/catalog.ts';

/** How long changes of resources are gathered: a call may store many artifacts at once. */
const GATHER_MS = 100;

/** Word to all connections, of either protocol era, that a list has changed. */
export interface Changes {
  onToolsChanged(listener: () => void): () => void;
  onResourcesChanged(listener: () => void): () => void;
  /** To be called when artifacts were added. */
  resourcesChanged(): void;
  close(): void;
}

/** Listens to the catalog: another list of tools means other plugins, which are resources too. */
export function createChanges(catalog: CatalogSource): Changes {
  const toolListeners = new Set<() => void>();
  const resourceListeners = new Set<() => void>();
  let timer: NodeJS.Timeout | undefined;

  const subscribe = (listeners: Set<() => void>, listener: () => void): (() => void) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  };
  const resourcesChanged = (): void => {
    timer ??= setTimeout(() => {
      timer = undefined;
      for (const listener of resourceListeners) listener();
    }, GATHER_MS).unref();
  };
  const unsubscribe = catalog.onToolsChanged(() => {
    for (const listener of toolListeners) listener();
    resourcesChanged();
  });

  return {
    onToolsChanged: (listener) => subscribe(toolListeners, listener),
    onResourcesChanged: (listener) => subscribe(resourceListeners, listener),
    resourcesChanged,
    close() {
      unsubscribe();
      clearTimeout(timer);
      toolListeners.clear();
      resourceListeners.clear();
    },
  };
}
