/** An archive of a release. */
export interface Archive {
  readonly name: string;
  /** In hexadecimal digits. */
  readonly sha256: string;
}

/** The Homebrew formula of a release: the archive for macOS and those for Linux, from `url`. */
export function formula({ version, url, archives }: { version: string; url: string; archives: ReadonlyMap<string, Archive> }): string {
  const source = (target: string, depth: number): string => {
    const archive = archives.get(target);
    if (archive === undefined) return '';
    const indent = ' '.repeat(depth);
    return `${indent}url "${url}/${archive.name}"\n${indent}sha256 "${archive.sha256}"\n`;
  };
  return `class Skulk < Formula
  desc "One shared store of LLM models for a LAN"
  homepage "${url}"
  version "${version}"
  license "MIT"

  on_macos do
    depends_on arch: :arm64
${source('darwin-arm64', 4)}  end

  on_linux do
    on_intel do
${source('linux-x64', 6)}    end
    on_arm do
${source('linux-arm64', 6)}    end
  end

  def install
    libexec.install Dir["*"]
    bin.install_symlink libexec/"bin/skulk"
    man1.install_symlink Dir[libexec/"app/man/*.1"]
    man5.install_symlink Dir[libexec/"app/man/*.5"]
    bash_completion.install libexec/"completion/skulk.bash" => "skulk"
    zsh_completion.install libexec/"completion/_skulk"
    fish_completion.install libexec/"completion/skulk.fish"
  end

  service do
    run [opt_bin/"skulk", "serve"]
    keep_alive crashed: true
    log_path var/"log/skulk.log"
    error_log_path var/"log/skulk.log"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/skulk --version")
  end
end
`;
}
