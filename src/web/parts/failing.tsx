import { Component } from 'react'
import type { ReactNode } from 'react'

interface Props {
  readonly text: string
  readonly children: ReactNode
}

/** A fault in one page leaves the others standing. */
export class Failing extends Component<Props, { readonly hasFailed: boolean }> {
  override state = { hasFailed: false }

  static getDerivedStateFromError(): { readonly hasFailed: boolean } {
    return { hasFailed: true }
  }

  override render(): ReactNode {
    if (!this.state.hasFailed) return this.props.children
    return (
      <div className="trouble" role="alert">
        <p>{this.props.text}</p>
      </div>
    )
  }
}
