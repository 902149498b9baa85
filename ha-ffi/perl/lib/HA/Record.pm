package HA::Record;

# What both status records have in common.

use v5.26;
use warnings;
use HA ();

our @ISA = 'HA::Object';

sub new {
    my ($class, $record) = @_;
    my $kind = $class->_kind;
    return $class->_own(HA::FFI::get("${kind}_new")) unless defined $record;
    my $json = ref $record ? HA::JSON::encode($record) : HA::FFI::utf8_bytes($record);
    return $class->_own(HA::FFI::get("${kind}_from_json", \$json));
}

sub copy { my ($self) = @_; return ref($self)->_own(HA::FFI::get($self->_kind . '_copy', $self)) }

sub json { my ($self) = @_; return HA::FFI::get_text($self->_kind . '_to_json', $self) }

sub as_hash { my ($self) = @_; return HA::JSON::decode(HA::FFI::get($self->_kind . '_to_json', $self)) }

1;
