package HA::Rules;

# What becomes of rules.

use v5.26;
use warnings;
use HA ();

our @ISA = 'HA::Object';

sub _kind { 'rules' }

sub new {
    my ($class, $configuration, @nodes) = @_;
    return $class->_own(HA::FFI::get(rules_new => $configuration, \@nodes));
}

sub dropped {
    my ($self) = @_;
    my $count = HA::FFI::get(rules_dropped_count => $self);
    return map { HA::FFI::error_from_handle(HA::FFI::get(rules_dropped => $self, $_)) } 0 .. $count - 1;
}

sub as_hash { my ($self) = @_; return HA::JSON::decode(HA::FFI::get(rules_json => $self)) }

sub why_together { my ($self, @two) = @_; return @{HA::JSON::decode(HA::FFI::get(rules_why_together => $self, @two))} }

sub why_apart { my ($self, @two) = @_; return @{HA::JSON::decode(HA::FFI::get(rules_why_apart => $self, @two))} }

1;
