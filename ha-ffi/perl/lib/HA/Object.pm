package HA::Object;

# What every class with a handle has: the handle is freed with the object, unless it is lent to a callback.

use v5.26;
use warnings;

sub _own { my ($class, $handle, %more) = @_; return bless { handle => $handle, %more }, $class }
sub _lent { my ($class, $handle) = @_; return bless { handle => $handle, lent => 1 }, $class }

sub CLONE_SKIP { 1 }

sub DESTROY {
    my ($self) = @_;
    return if $self->{lent} || !$self->{handle} || ${^GLOBAL_PHASE} eq 'DESTRUCT';
    local ($@, $!, $?);
    my $handle = delete $self->{handle};
    eval { HA::FFI::call($self->_kind . '_free', $handle) };
}

1;
