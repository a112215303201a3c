import { Button } from "@mantine/core";
import { Component, type ReactNode } from "react";
import { type Failure, toFailure } from "../../engine/contract/index.ts";
import { Empty } from "../parts/Empty.tsx";

/** Error page: what broke, that nothing is lost, and a way to continue. */
export class ErrorBoundary extends Component<
  { readonly children: ReactNode },
  { readonly failure: Failure | null }
> {
  override readonly state = { failure: null as Failure | null };

  static getDerivedStateFromError(error: unknown) {
    return { failure: toFailure(error) };
  }

  override render() {
    const { failure } = this.state;
    if (!failure) return this.props.children;
    return <Gone title="This page made a mistake" failure={failure} />;
  }
}

/** Error page of a dead Worker. */
export function EngineGone({ failure }: { readonly failure: Failure }) {
  return <Gone title="The engine has stopped" failure={failure} />;
}

function Gone({ title, failure }: { readonly title: string; readonly failure: Failure }) {
  return (
    <main className="gone" role="alert">
      <Empty title={title}>
        <p>
          {failure.message} <span className="mono">{failure.code}</span>
        </p>
        <p>Your models and runs are stored; what was interrupted can be resumed.</p>
        <Button variant="filled" onClick={() => window.location.reload()}>
          Reload
        </Button>
      </Empty>
    </main>
  );
}
